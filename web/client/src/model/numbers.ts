/**
 * Branded numbers, so that the compiler rejects mixing them.
 *
 * Each is a plain number at run time. The brand is applied once, where the number enters the program: in the
 * decoder or at a clock.
 */

/** Milliseconds since the Unix epoch, with fractions. */
export type Millis = number & { readonly __millis: unique symbol };

/** Dollars per share. */
export type Price = number & { readonly __price: unique symbol };

/** A number of shares. */
export type Shares = number & { readonly __shares: unique symbol };

/** The sequence number of an object in its (channel, symbol) stream, rising by 1 from 1. */
export type Seq = number & { readonly __seq: unique symbol };

export const millis = (value: number): Millis => value as Millis;
export const price = (value: number): Price => value as Price;
export const shares = (value: number): Shares => value as Shares;
export const seq = (value: number): Seq => value as Seq;

/** Identifies one run of the server's feed. Sequence numbers of different epochs are not comparable. */
export type Epoch = string & { readonly __epoch: unique symbol };

export const epoch = (text: string): Epoch => text as Epoch;
