/**
 * A process that sees ports through a glass a test holds: it may be made to wait its turn, its calls may fail in every way the cloud fails, or it may be
 * killed at any of them. Every call is counted, which is also how the cost of an operation is known.
 */
import { PortError } from '../../ports';

/**
 * `error-before`: fails, nothing happened. `error-after`: it happened, the reply was lost. `throttle`: refused, nothing happened. `timeout`: fails now and
 * happens later, while the caller is already doing something else. `kill-…`: the process ends before or after the effect.
 */
export type Fault = 'error-before' | 'error-after' | 'throttle' | 'timeout' | 'kill-before' | 'kill-after';
export const FAULTS: readonly Fault[] = ['error-before', 'error-after', 'throttle', 'timeout', 'kill-before', 'kill-after'];

export interface PortCall {
  readonly port: string;
  readonly method: string;
  /** 0 for the first call of the process. */
  readonly index: number;
}

/** The process is gone: no code of ours can explain this error, so none may catch it. */
export class Killed extends Error {}

export interface MemoryProcess<Ports> {
  readonly ports: Ports;
  readonly calls: readonly PortCall[];
  /** Lets requests that timed out arrive after all. */
  settle(): Promise<void>;
}

/** Called at every port call, in the order they are made; may wait, and answers the fault to inject, if any. */
export type OnCall = (call: PortCall) => Fault | undefined | Promise<Fault | undefined>;

const STREAMED: ReadonlySet<string> = new Set(['partition', 'ofCustomer', 'ofOperator', 'scan', 'rounds', 'roundsByTime', 'unsealedStates', 'list', 'lines']);
const unavailable = (call: PortCall, why: string): PortError => new PortError('unavailable', `${call.port}.${call.method}: ${why}`);

/** `ports` as one process sees them. Members that are no objects (clocks, functions) are passed through. */
export function memoryProcess<Ports extends object>(ports: Ports, onCall: OnCall = () => undefined): MemoryProcess<Ports> {
  const calls: PortCall[] = [];
  const late: (() => Promise<unknown>)[] = [];
  let dead = false;
  const settle = async (): Promise<void> => {
    // What arrives late may fail its condition or find other bytes: nobody is there to hear it.
    for (const arrive of late.splice(0)) await arrive().catch(() => undefined);
  };
  const enter = async (port: string, method: string): Promise<{ readonly call: PortCall; readonly fault: Fault | undefined }> => {
    if (dead) throw new Killed('this process was killed');
    const call: PortCall = { port, method, index: calls.length };
    calls.push(call);
    const fault = await onCall(call);
    if (dead) throw new Killed('this process was killed'); // by another of its calls, while this one waited
    if (fault === 'error-before') throw unavailable(call, 'connection refused');
    if (fault === 'throttle') throw unavailable(call, 'throttled');
    if (fault === 'kill-before') dead = true;
    if (dead) throw new Killed('this process was killed');
    return { call, fault };
  };
  const leave = (call: PortCall, fault: Fault | undefined): void => {
    if (fault === 'error-after') throw unavailable(call, 'the reply was lost');
    if (fault === 'timeout') throw unavailable(call, 'timed out');
    if (fault === 'kill-after') dead = true;
    if (dead) throw new Killed('this process was killed');
  };
  const invoke = async (port: string, method: string, run: () => Promise<unknown>): Promise<unknown> => {
    const arrivedBefore = late.length;
    const { call, fault } = await enter(port, method);
    if (fault === 'timeout') {
      late.push(run);
      leave(call, fault);
    }
    const result = await run();
    // A request that timed out earlier arrives behind the next one that succeeded.
    if (arrivedBefore > 0) await settle();
    leave(call, fault);
    return result;
  };
  const iterate = async function* (port: string, method: string, run: () => AsyncIterable<unknown>): AsyncGenerator<unknown> {
    const { call, fault } = await enter(port, method);
    for await (const each of run()) {
      yield each;
      leave(call, fault); // breaks off in the middle, after the first
    }
    leave(call, fault);
  };
  const glass = <P extends object>(name: string, port: P): P =>
    new Proxy(port, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function' || typeof property !== 'string') return member;
        const bound = (args: unknown[]): unknown => Reflect.apply(member, target, args) as unknown;
        if (STREAMED.has(property)) return (...args: unknown[]) => iterate(name, property, () => bound(args) as AsyncIterable<unknown>);
        return (...args: unknown[]) => invoke(name, property, () => bound(args) as Promise<unknown>);
      },
    });
  const seen = Object.entries(ports).map(([name, port]) => [name, name !== 'meter' && typeof port === 'object' && port !== null ? glass(name, port as object) : (port as unknown)] as const);
  return { ports: Object.fromEntries(seen) as Ports, calls, settle };
}
