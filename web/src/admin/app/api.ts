import { isJsonObject, textOf } from "../../source";
import type { Failure, Result } from "../model";

/** An answer that takes longer is none: the next one is due long before. */
const ANSWER_MS = 4_000;

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** The admin API of the server that the page is from (docs/ADMIN.md). */
export class AdminApi {
  token: string | undefined;

  constructor(token: string | undefined) {
    this.token = token;
  }

  /** Asks for something below `/admin/api/`. */
  get<Value>(path: string, read: (body: unknown) => Value | undefined, signal?: AbortSignal): Promise<Result<Value>> {
    return this.request("GET", path, undefined, read, signal);
  }

  /** Changes something. The value is what `read` makes of the answer, whose body may be empty. */
  change<Value>(method: Exclude<Method, "GET">, path: string, body: object | undefined, read: (body: unknown) => Value | undefined): Promise<Result<Value>> {
    return this.request(method, path, body, read);
  }

  private async request<Value>(method: Method, path: string, body: object | undefined, read: (body: unknown) => Value | undefined, signal?: AbortSignal): Promise<Result<Value>> {
    const limit = AbortSignal.timeout(ANSWER_MS);
    const headers: Record<string, string> = { Accept: "application/json", "X-Requested-With": "fetch" };
    if (this.token !== undefined) headers["Authorization"] = `Bearer ${this.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    try {
      const response = await fetch(new URL(`api/${path}`, location.href), {
        ...{ method, headers, cache: "no-store" as const, credentials: "omit" as const },
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = parse(await response.text());
      const message = (isJsonObject(answer) ? textOf(answer["message"]) : undefined) ?? "";
      const value = response.ok ? read(answer) : undefined;
      return value === undefined ? { failure: { status: response.status, message } } : { value };
    } catch {
      return { failure: NO_ANSWER };
    }
  }
}

const NO_ANSWER: Failure = { status: undefined, message: "" };

/** For changes whose answer has nothing to read. */
export const anything = (): true => true;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
