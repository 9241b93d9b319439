import { formatCount, NONE } from "../../format";
import { byId, setText } from "../../view";
import type { Refusal } from "../model";
import { KeyedRows, type Row } from "./keyed-rows";
import { bodyOf, cell, tableRow } from "./parts";
import type { SessionContext } from "./sessions-view";

type Context = Pick<SessionContext, "texts" | "times">;

/** What clients were refused lately. */
export class RefusalsView {
  private readonly rows: KeyedRows<Refusal>;
  private readonly empty = byId("refusals-empty", HTMLElement);
  private context: Context;
  private now = 0;

  constructor(context: Context) {
    this.context = context;
    this.rows = new KeyedRows(bodyOf("refusals-table"), idOf, () => new RefusalRow(() => ({ ...this.context, now: this.now })));
  }

  draw(refusals: readonly Refusal[] | undefined, now: number, context: Context): void {
    this.context = context;
    this.now = now;
    this.rows.draw(refusals ?? []);
    byId("refusals-table", HTMLTableElement).hidden = (refusals ?? []).length === 0;
    setText(this.empty, refusals === undefined ? context.texts.loading : refusals.length === 0 ? context.texts.noRefusals : "");
  }
}

const idOf = ({ time, kind, reason, address, key }: Refusal): string => [time, kind, reason, address, key].join("\n");

class RefusalRow implements Row<Refusal> {
  private readonly cells = { time: cell("c-time figure"), kind: cell("c-kind"), reason: cell("c-reason"), address: cell("c-from"), key: cell("c-key"), count: cell("number figure c-count") };
  private readonly context: () => Context & { readonly now: number };
  readonly node = tableRow(...Object.values(this.cells));

  constructor(context: () => Context & { readonly now: number }) {
    this.context = context;
  }

  draw({ time, kind, reason, address, key, count }: Refusal): void {
    const { texts, times, now } = this.context();
    setText(this.cells.time, times.moment(time, now));
    setText(this.cells.kind, texts.refusalKinds[kind] ?? kind);
    setText(this.cells.reason, reason);
    setText(this.cells.address, address === "" ? NONE : address);
    setText(this.cells.key, key ?? NONE);
    setText(this.cells.count, formatCount(count));
  }
}
