import type { CDPSession, Page } from "playwright-core";

/** The work of the page's main thread during a trace. */
export interface Work {
  readonly seconds: number;
  /** Share of wall-clock time in which a task ran, including time in which the thread waited for a core. */
  readonly busy: number;
  /** CPU time of the tasks as a share of wall-clock time. */
  readonly cpu: number;
  readonly longestMs: number;
  /** Number of tasks over 50 ms. */
  readonly long: number;
  /** CPU time in ms per second by trace event name, largest first. */
  readonly parts: readonly (readonly [name: string, msPerSecond: number])[];
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Tasks of the main thread, and what the renderer did in them. */
const CATEGORIES = ["toplevel", "devtools.timeline"];
const TASK = "ThreadControllerImpl::RunTask";
/** Parts of tasks. Animation frames and event handlers are function calls. */
const PARTS = ["FunctionCall", "FireAnimationFrame", "UpdateLayoutTree", "Layout", "PrePaint", "Paint", "Layerize", "Commit", "MinorGC", "MajorGC"];
const LONG_MS = 50;

/** Traces the page for this time. */
export async function trace(page: Page, seconds: number): Promise<Work> {
  const session = await page.context().newCDPSession(page);
  const traceConfig = { recordMode: "recordUntilFull", includedCategories: CATEGORIES } as const;
  await session.send("Tracing.start", { transferMode: "ReturnAsStream", streamFormat: "json", traceConfig });
  const from = performance.now();
  await page.waitForTimeout(seconds * 1_000);
  const took = (performance.now() - from) / 1_000;
  const complete = new Promise<string>((resolve) => {
    session.once("Tracing.tracingComplete", ({ stream }) => {
      resolve(stream ?? "");
    });
  });
  await session.send("Tracing.end");
  const events = await read(session, await complete);
  await session.detach();
  return workOf(events, took);
}

async function read(session: CDPSession, handle: string): Promise<readonly TraceEvent[]> {
  const pieces: string[] = [];
  for (let isOver = false; !isOver; ) {
    const { data, eof } = await session.send("IO.read", { handle, size: 1 << 22 });
    pieces.push(data);
    isOver = eof;
  }
  await session.send("IO.close", { handle });
  return (JSON.parse(pieces.join("")) as { readonly traceEvents: readonly TraceEvent[] }).traceEvents;
}

function workOf(events: readonly TraceEvent[], seconds: number): Work {
  const mains = new Set(events.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`));
  const isMain = ({ pid, tid }: TraceEvent) => mains.has(`${pid} ${tid}`);
  const complete = events.filter((event) => event.ph === "X" && isMain(event));
  const tasks = complete.filter(({ name }) => name === TASK);
  const sum = (list: readonly TraceEvent[], of: "dur" | "tdur") => list.reduce((total, event) => total + (event[of] ?? 0), 0) / 1_000;
  const parts = PARTS.map((part) => [part, sum(complete.filter(({ name }) => name === part), "tdur") / seconds] as const);
  return {
    seconds,
    busy: sum(tasks, "dur") / 1_000 / seconds,
    cpu: sum(tasks, "tdur") / 1_000 / seconds,
    longestMs: tasks.reduce((longest, { dur = 0 }) => Math.max(longest, dur / 1_000), 0),
    long: tasks.filter(({ dur = 0 }) => dur / 1_000 > LONG_MS).length,
    parts: parts.filter(([, ms]) => ms > 0).sort(([, a], [, b]) => b - a),
  };
}
