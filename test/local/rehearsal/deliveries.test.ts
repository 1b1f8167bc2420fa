import { readdirSync } from 'node:fs';
import { buildsOnOthers, exampleDeliveries, examplesDirectory, forgedDelivery } from '../../../local/rehearsal/deliveries';

describe('the deliveries of the rehearsal', () => {
  it('are all the examples there are, each with what must come of it', () => {
    const files = (readdirSync(examplesDirectory, { recursive: true }) as string[]).filter((file) => /\.(json|txt)$/.test(file));
    expect(exampleDeliveries().map(({ name }) => name).sort()).toEqual(files.sort());
  });

  it('expect something of every signed one and nothing of the forged one', () => {
    expect(exampleDeliveries().filter(({ expected }) => Object.values(expected).every((count) => count === 0))).toEqual([]);
    expect(forgedDelivery()).toMatchObject({ expected: {}, forged: true });
  });

  it('send what contradicts or repeats another one after it', () => {
    expect(exampleDeliveries().filter(buildsOnOthers).length).toBeGreaterThan(0);
  });
});
