import { LoggedFrame, type RawFrame } from "./frame";

export const CAPACITY = 500;
/** Of the messages together. */
export const MAX_BYTES = 16 * 1_048_576;

/** The newest messages, in the order in which they were recorded. */
export class FrameLog {
  private frames: LoggedFrame[] = [];
  private count = 0;
  private bytes = 0;

  /** Oldest first. */
  get entries(): readonly LoggedFrame[] {
    return this.frames;
  }

  /** Messages recorded since the log began, those that left it included. */
  get total(): number {
    return this.count;
  }

  add(raw: RawFrame): LoggedFrame {
    this.count += 1;
    const frame = new LoggedFrame(this.count, raw);
    this.frames.push(frame);
    this.bytes += frame.bytes;
    while (this.frames.length > CAPACITY || (this.bytes > MAX_BYTES && this.frames.length > 1)) {
      this.bytes -= this.frames.shift()?.bytes ?? 0;
    }
    return frame;
  }

  clear(): void {
    this.frames = [];
    this.bytes = 0;
  }
}
