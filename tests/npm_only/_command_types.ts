// deno-lint-ignore-file no-explicit-any -- `any` switches inference off, as in the original
/**
 * What the flags of an option and the definition of arguments say about types,
 * for the stand-in of cliffy. Shorter than the original's types, and never
 * stricter.
 *
 * @module
 */

/** A record, or nothing at all. */
export type Maybe = Record<string, any> | void;

/** One value of the command line, as a type handler gets it. */
export interface ArgumentValue {
  /** `Option` or `Argument`. */
  label: string;
  /** The registered name of the type. */
  type: string;
  /** The flag or the name of the argument. */
  name: string;
  /** What was written. */
  value: string;
}

/** Parses one value. */
export type TypeHandler<T> = (value: ArgumentValue) => T;

/** A type as a class. */
export abstract class Type<T> {
  /** Parses one value. */
  abstract parse(value: ArgumentValue): T;
}

/** Either form of a type. */
export type TypeOrTypeHandler<T> = Type<T> | TypeHandler<T>;

/** The value that a type yields. */
export type InferType<H> = H extends TypeOrTypeHandler<infer T> ? T : never;

/** The types that need no registration. */
export interface DefaultTypes {
  /** Any finite number. */
  number: number;
  /** Any whole number. */
  integer: number;
  /** Any text. */
  string: string;
  /** `true`, `false`, `1` or `0`. */
  boolean: boolean;
  /** A path. */
  file: string;
  /** A text that is not shown. */
  secret: string;
}

/** Both records, either of which may be nothing. */
export type Merge<L, R> = [L] extends [void] ? R
  : [R] extends [void] ? L
  : L & R;

/** The arguments of an action. */
export type ArgumentsOf<D extends string, T> = D extends
  `${infer First} ${infer Rest}`
  ? [...ArgumentOf<First, T>, ...ArgumentsOf<Rest, T>]
  : ArgumentOf<D, T>;

type ArgumentOf<D extends string, T> = D extends `${string}...${string}`
  ? D extends `<${string}` ? [ValueOf<D, T>, ...ValueOf<D, T>[]]
  : ValueOf<D, T>[]
  : D extends `<${string}` ? [ValueOf<D, T>]
  : [ValueOf<D, T>?];

/** The entry that an option adds to the options of an action. */
export type OptionOf<
  F extends string,
  T,
  Required = undefined,
  Default = undefined,
  Collect = undefined,
  Mapped = undefined,
> = KeyOf<F> extends infer Key extends string
  ? LongName<F> extends `no-${string}` ? { [K in Key]: boolean }
  : Required extends true
    ? { [K in Key]: Entry<F, T, Default, Collect, Mapped> }
  : Default extends undefined
    ? { [K in Key]?: Entry<F, T, Default, Collect, Mapped> }
  : { [K in Key]: Entry<F, T, Default, Collect, Mapped> }
  : never;

type Entry<F extends string, T, Default, Collect, Mapped> = Mapped extends
  undefined ? Collect extends true ? OptionValue<F, T>[]
  : OptionValue<F, T> | NonNullable<Default>
  : Mapped;

/** The value of an option, before it is collected or mapped. */
export type OptionValue<F extends string, T> = F extends `${string}<${infer D}>`
  ? Listed<`<${D}>`, T>
  : F extends `${string}[${infer D}]` ? Listed<`[${D}]`, T> | true
  : true;

type Listed<D extends string, T> = D extends `${string}...${string}`
  ? ValueOf<D, T>[]
  : ValueOf<D, T>;

type ValueOf<D extends string, T> = D extends
  `${string}:${infer Rest}${">" | "]"}` ? Named<WithoutAction<Rest>, T>
  : string;

type WithoutAction<S extends string> = S extends `${infer Name}:${string}`
  ? Name
  : S;

type Named<Name extends string, T> = Name extends `${infer Item}[]`
  ? Looked<Item, T>[]
  : Looked<Name, T>;

type Looked<Name extends string, T> = Name extends keyof Merge<DefaultTypes, T>
  ? Merge<DefaultTypes, T>[Name]
  : unknown;

type LongName<F extends string> = F extends `${string}--${infer Rest}`
  ? Rest extends `${infer Name}${" " | "=" | ","}${string}` ? Name : Rest
  : F extends `-${infer Rest}`
    ? Rest extends `${infer Name}${" " | "=" | ","}${string}` ? Name : Rest
  : never;

type KeyOf<F extends string> = CamelCase<
  LongName<F> extends `no-${infer Name}` ? Name : LongName<F>
>;

type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;
