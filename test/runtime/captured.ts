/** What is written to stdout and stderr while something runs, by whatever way: lines, in order. */

export function captured(run: () => void): string[] {
  const capture = startCapture();
  try {
    run();
  } finally {
    capture.stop();
  }
  return capture.lines();
}

export async function capturedAsync(run: () => Promise<unknown>): Promise<string[]> {
  const capture = startCapture();
  try {
    await run();
  } finally {
    capture.stop();
  }
  return capture.lines();
}

function startCapture(): { stop(): void; lines(): string[] } {
  let text = '';
  const take = (chunk: unknown): boolean => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString();
    return true;
  };
  const said = (...words: unknown[]): void => void take(`${words.map(String).join(' ')}\n`);
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation(take),
    jest.spyOn(process.stderr, 'write').mockImplementation(take),
    ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((method) => jest.spyOn(console, method).mockImplementation(said)),
  ];
  return {
    stop: () => spies.forEach((spy) => spy.mockRestore()),
    lines: () => text.split('\n').filter((line) => line !== ''),
  };
}
