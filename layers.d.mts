export declare const LAYERS: readonly {
  readonly from: string;
  readonly forbidden: readonly { readonly pattern: string; readonly why: string }[];
}[];
