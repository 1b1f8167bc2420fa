/**
 * Names of tiles and entry bundles (C2SP tlog-tiles): `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`, N in groups of three digits.
 * Parsing accepts exactly the names that formatting makes, so that no object hides under a second spelling of a name.
 */
import { TILE_WIDTH } from './bundle';

/** A tile of hashes at a level (0: leaf hashes), or a bundle of entries. `width` is 256 when full. */
export interface TileName {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

export const MAX_LEVEL = 63;

/** `x001/x234/067` for 1234067. */
export function tileIndexPath(index: number): string {
  let path = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  return path;
}

/** Object name of a tile or bundle. */
export function tilePath({ level, index, width }: TileName): string {
  return `tile/${level}/${tileIndexPath(index)}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Prefix of the names of all partial forms of a tile: `tile/0/001.p/`. */
export const partialsPrefix = (level: TileName['level'], index: number): string => `tile/${level}/${tileIndexPath(index)}.p/`;

const FORM = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** The tile that `name` is the one spelling of, or undefined. */
export function parseTilePath(name: string): TileName | undefined {
  const match = FORM.exec(name);
  if (match === null) return undefined;
  const level: TileName['level'] = match[1] === 'entries' ? 'entries' : Number(match[1]);
  const tile = { level, index: Number(match[2]!.replace(/[x/]/g, '')), width: match[3] === undefined ? TILE_WIDTH : Number(match[3]) };
  if (!Number.isSafeInteger(tile.index) || (level !== 'entries' && level > MAX_LEVEL)) return undefined;
  return tilePath(tile) === name ? tile : undefined; // a leading x000, a width of 256
}
