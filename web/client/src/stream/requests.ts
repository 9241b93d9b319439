import type { Runtime } from "./runtime";

/** Why a command has no answer: the connection ended or there is none, or the server did not answer in time. */
export type NoAnswer = "disconnected" | "timeout";

/** A command failed. `message` says why, in plain English. */
export class RequestError extends Error {
  /** The server's error code (docs/PROTOCOL.md, "Errors"). Without an answer the server may have acted or not. */
  readonly code: number | NoAnswer;
  /** After this many milliseconds the command may succeed. */
  readonly retryMs: number | undefined;

  constructor(code: number | NoAnswer, message: string, retryMs?: number) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.retryMs = retryMs;
  }
}

/** The server answers within 5 s, or says that it could not. */
const TIMEOUT_MS = 10_000;

interface Request<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: RequestError) => void;
  readonly cancelTimeout: () => void;
}

/** Commands that are answered one by one, by their id. */
export class Requests<Reply> {
  private readonly runtime: Runtime;
  private readonly pending = new Map<number, Request<Reply>>();

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** The answer to the command of this id, which is sent next. */
  answerTo(id: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.runtime.after(TIMEOUT_MS, () => {
        this.fail(id, new RequestError("timeout", "the server did not answer"));
      });
      this.pending.set(id, { resolve, reject, cancelTimeout });
    });
  }

  succeed(id: number | undefined, reply: Reply): void {
    this.take(id)?.resolve(reply);
  }

  /** False if no command of this id is pending. */
  fail(id: number | undefined, error: RequestError): boolean {
    const request = this.take(id);
    request?.reject(error);
    return request !== undefined;
  }

  /** The connection ended: no answer comes. */
  failAll(): void {
    for (const id of [...this.pending.keys()]) this.fail(id, disconnected());
  }

  private take(id: number | undefined): Request<Reply> | undefined {
    if (id === undefined) return undefined;
    const request = this.pending.get(id);
    this.pending.delete(id);
    request?.cancelTimeout();
    return request;
  }
}

export const disconnected = (): RequestError => new RequestError("disconnected", "not connected");
