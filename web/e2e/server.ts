import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** The server binary. A function, because the benchmark sets its own default before the first start. */
export const binary = () => process.env["TAPECAST_BIN"] ?? "../target/debug/tapecast";
/** A debug build is ready in well under a second; a busy machine may take many. */
const READY_MS = 20_000;

/** A port of 127.0.0.1 on which nobody listens. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** The real server as a child process. It can be restarted on the same port. */
export class Server {
  readonly origin: string;
  private readonly listen: string;
  private readonly args: string[];
  /** The command that the server is started through. */
  private wrapper: readonly string[] = [];
  private child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.listen = `127.0.0.1:${port}`;
    this.args = [...args];
    this.origin = `http://${this.listen}`;
  }

  /** A server on a free port. */
  static async onFreePort(...args: readonly string[]): Promise<Server> {
    return new Server(await freePort(), args);
  }

  /** Runs the server at the lowest priority, so that it takes no CPU time from the browser. */
  withLowPriority(): this {
    this.wrapper = ["nice", "-n", "19"];
    return this;
  }

  /** Lets in pages of this origin, from the next start on. */
  permit(origin: string): void {
    this.args.push("--allow-origin", origin);
  }

  /** Starts, and waits until it is ready. */
  async start(): Promise<void> {
    const program = binary();
    const [command = program, ...args] = [...this.wrapper, program, "--listen", this.listen, "--seed", "42", ...this.args];
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
    this.child = child;
    const failed = new Promise<never>((_, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        reject(new Error(`${program} ended before it was ready: ${code ?? signal ?? "unknown"}`));
      });
    });
    await Promise.race([failed, this.ready()]);
    child.removeAllListeners("exit");
    failed.catch(() => undefined);
  }

  /** Kills the server without a Close frame. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    const isAlive = child?.exitCode === null && child.signalCode === null;
    if (child === undefined || !isAlive) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** Sends a signal to the server, if it runs. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const isReady = await fetch(`${this.origin}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) return;
      if (Date.now() > deadline) throw new Error(`${binary()} was not ready within ${READY_MS} ms`);
      await new Promise((again) => setTimeout(again, 50));
    }
  }
}
