import type { RuntimeGlobals } from "../stream";

interface MutableUrl {
  readonly href: string;
  protocol: string;
  pathname: string;
  search: string;
  hash: string;
}

interface Response {
  readonly status: number;
  readonly ok: boolean;
  json(): Promise<unknown>;
}

/** The globals that browsers, workers, Deno, Bun and Node have, as far as they are used here. */
interface Globals extends RuntimeGlobals<unknown> {
  readonly URL: new (url: string, base?: string) => MutableUrl;
  readonly console: { warn(message: string): void };
  /** Undefined outside of browsers. */
  readonly location: { readonly href: string; readonly origin: string } | undefined;
  fetch(url: string, init?: { readonly headers: Readonly<Record<string, string>> }): Promise<Response>;
}

/** Declared here, so that the package's types need neither the DOM library nor Node's. */
export const globals = globalThis as unknown as Globals;
