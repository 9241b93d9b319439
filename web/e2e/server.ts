import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** Asked when a server starts: a bench has its own default. */
export const binary = () => process.env["TAPECAST_BIN"] ?? "../target/debug/tapecast";
/** A debug build of the server is up in well under a second; a busy machine may need many. */
const READY_MS = 20_000;

/** The real server as a child process, on a port that it can be started on again. */
export class Server {
  readonly origin: string;
  private readonly listen: string;
  private readonly args: readonly string[];
  /** What the server is started with. */
  private before: readonly string[] = [];
  private child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.listen = `127.0.0.1:${port}`;
    this.args = args;
    this.origin = `http://${this.listen}`;
  }

  /** A server on a port that is free now. */
  static async onFreePort(...args: readonly string[]): Promise<Server> {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, "close");
    return new Server(port, args);
  }

  /** Leaves the processors to the browser when it is started next, as a server on a machine of its own would. */
  givesWay(): this {
    this.before = ["nice", "-n", "19"];
    return this;
  }

  /** Starts, and waits until it is ready. */
  async start(): Promise<void> {
    const program = binary();
    const [command = program, ...args] = [...this.before, program, "--listen", this.listen, "--seed", "42", ...this.args];
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

  /** Ends as a power cut does: no close frame, no goodbye. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    const isAlive = child?.exitCode === null && child.signalCode === null;
    if (child === undefined || !isAlive) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
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
