/**
 * Numbers that must not mix. Each is a plain number at run time; the brand exists for the compiler
 * only, and is given once, where the number enters: in the wire, or from a clock.
 */

/** Milliseconds since the Unix epoch, with fractions. */
export type Millis = number & { readonly __millis: unique symbol };

/** Dollars per share. */
export type Price = number & { readonly __price: unique symbol };

/** A number of shares. */
export type Shares = number & { readonly __shares: unique symbol };

/** The number of an object in its (channel, symbol) stream, rising by 1 from 1. */
export type Seq = number & { readonly __seq: unique symbol };

export const millis = (value: number): Millis => value as Millis;
export const price = (value: number): Price => value as Price;
export const shares = (value: number): Shares => value as Shares;
export const seq = (value: number): Seq => value as Seq;

/** Names one life of a server: sequence numbers of two epochs have nothing to do with each other. */
export type Epoch = string & { readonly __epoch: unique symbol };

export const epoch = (text: string): Epoch => text as Epoch;
