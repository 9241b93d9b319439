import { formatCount, formatPrice } from "../format";
import { FilteredSales, groupsOf, type Print, type SalesRow, type TimeAndSales } from "../market";
import type { Strings } from "../strings";
import { make, setData, setText } from "./dom";
import { makeButton, panelSection, translated } from "./panel-parts";
import { SalesFilterForm } from "./sales-filter-form";

/** A row element. It is reused for other trades instead of being created again. */
class RowView {
  readonly node: HTMLElement;
  private readonly time = make("span", "");
  private readonly price = make("span", "sales-price");
  private readonly size = make("span", "");
  private shown: SalesRow | undefined;
  private strings: Strings | undefined;
  private top = -1;

  constructor() {
    for (const cell of [this.time, this.price, this.size]) cell.role = "cell";
    for (const cell of [this.price, this.size]) cell.dataset["price"] = "";
    this.node = make("div", "sales-row", this.time, this.price, this.size);
    this.node.role = "row";
  }

  show(row: SalesRow, top: number, strings: Strings): void {
    if (top !== this.top) this.node.style.transform = `translateY(${top}px)`;
    this.top = top;
    if (row === this.shown && strings === this.strings) return;
    this.shown = row;
    this.strings = strings;
    if (row.kind === "gap") {
      setText(this.time, strings.missingTrades(formatCount(row.missing)));
      setText(this.price, "");
      setText(this.size, "");
      this.node.title = "";
      this.node.dataset["mark"] = "none";
      this.node.dataset["side"] = "gap";
      setData(this.node, "lot", "round");
      return;
    }
    const mark = row.mark === "none" ? "" : strings.marks[row.mark][0];
    setText(this.time, row.mark === "none" ? strings.times.millis(row.time) : `${strings.times.second(row.time)} ${mark}`);
    const description = describe(row, strings);
    if (this.node.title !== description) this.node.title = description;
    setData(this.node, "mark", row.mark);
    setText(this.price, formatPrice(row.price));
    setText(this.size, formatCount(row.size));
    this.node.dataset["side"] = row.side;
    setData(this.node, "lot", groupsOf(row).includes("oddLots") ? "odd" : "round");
  }
}

/** What the colours of prices stand for. */
function sideLegend(): HTMLElement {
  const sides = (["Buy", "Sell"] as const).map((side) => {
    const text = translated("span", "", `sales${side}`);
    text.dataset["side"] = side.toLowerCase();
    return text;
  });
  return make("p", "sales-sides", ...sides);
}

/** What makes a trade another than the others: its mark and its sale conditions, with their letters. Empty for an ordinary one. */
function describe({ mark, conditions }: Print, { marks, saleConditions }: Strings): string {
  const letters = conditions.split("").filter((letter) => !(letter === "Z" && mark === "late"));
  const meanings = letters.flatMap((letter) => {
    const meaning = saleConditions[letter];
    return meaning === undefined ? [] : [`${letter}: ${meaning}`];
  });
  return [...(mark === "none" ? [] : [marks[mark][1]]), ...meanings].join("\n");
}

/**
 * The list of trades, newest on top. Only visible rows have elements.
 *
 * The list stops moving while it is paused and while it is scrolled away from the top. New trades are counted on the
 * pause button meanwhile, which then goes to the newest one. Trades that the filter hides are counted nowhere.
 */
export class TimeAndSalesView {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly content = make("div", "sales-rows");
  private readonly scroll = make("div", "sales-scroll", this.content);
  private readonly buttonText = make("span", "");
  private readonly button = makeButton("button small");
  private readonly form: SalesFilterForm;
  private readonly filtered = new FilteredSales();
  private readonly rows: RowView[] = [];
  private readonly rowHeight: number;
  private height = 0;
  /** The scroll position of the last scroll event. Reading `scrollTop` here would force a layout. */
  private top = 0;
  private sales: TimeAndSales | undefined;
  private isPaused = false;
  /** True while the whole dashboard is paused. */
  private isDashboardPaused = false;
  /** The index after the newest row shown, while the list does not move. */
  private frozenEnd: number | undefined;
  /** Number of trades that arrived since the list stopped moving. */
  private waiting = 0;
  private drawn = "";

  constructor(invalidate: () => void) {
    this.form = new SalesFilterForm(() => {
      // Another list begins at its newest row.
      this.scrollToTop();
      this.drawn = "";
      invalidate();
    });
    const section = panelSection("sales-panel", "sales", this.button);
    this.rowHeight = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--sales-row"));
    this.node = section.node;
    this.head = section.head;
    this.makeNodes(section.heading);
    this.button.addEventListener("click", () => {
      if (this.waiting > 0) this.follow();
      else this.toggle();
      invalidate();
    });
    const scrolled = () => {
      this.top = this.scroll.scrollTop;
      invalidate();
    };
    this.scroll.addEventListener("scroll", scrolled, { passive: true });
    new ResizeObserver(([entry]) => {
      this.height = entry?.contentRect.height ?? 0;
      invalidate();
    }).observe(this.scroll);
  }

  private makeNodes(heading: HTMLElement): void {
    for (const [node, id] of [[heading, "sales-title"], [this.scroll, "sales-scroll"], [this.content, "sales-rows"], [this.button, "sales-pause"], [this.buttonText, "sales-pause-text"]] as const) {
      node.id = id;
    }
    const glyph = make("span", "glyph");
    glyph.ariaHidden = "true";
    this.button.append(glyph, this.buttonText);
    this.button.ariaPressed = "false";
    const heads = (["salesTime", "salesPrice", "salesSize"] as const).map((name) => {
      const head = translated("span", "", name);
      head.role = "columnheader";
      return head;
    });
    const headRow = make("div", "sales-row", ...heads);
    headRow.role = "row";
    const head = make("div", "sales-head", headRow);
    head.role = "rowgroup";
    this.content.role = "presentation";
    Object.assign(this.scroll, { role: "rowgroup", tabIndex: 0 });
    this.scroll.setAttribute("aria-labelledby", heading.id);
    const table = make("div", "sales", head, this.scroll);
    table.role = "table";
    table.setAttribute("aria-labelledby", heading.id);
    this.node.append(make("div", "sales-box", this.form.button, table, sideLegend(), this.form.node));
  }

  /** The list that is shown. */
  get shown(): TimeAndSales | undefined {
    return this.sales;
  }

  /** Switches to another symbol. This ends every pause, which concerned the rows of the previous symbol. */
  choose(sales: TimeAndSales | undefined): void {
    this.sales = sales;
    this.isDashboardPaused = false;
    this.isPaused = false;
    this.button.ariaPressed = "false";
    this.frozenEnd = undefined;
    this.drawn = "";
    this.scrollToTop();
    this.rows.length = 0;
    this.content.replaceChildren();
  }

  /** Ends a pause and goes to the newest trade. */
  private follow(): void {
    this.isPaused = false;
    this.button.ariaPressed = "false";
    this.scrollToTop();
  }

  private toggle(): void {
    this.isPaused = !this.isPaused;
    this.button.ariaPressed = String(this.isPaused);
    if (!this.isPaused) this.scrollToTop();
  }

  /**
   * A key or a wheel scrolls for many frames. In Chromium such a scroll continues from wherever a script moved the box
   * meanwhile. A smooth scroll by script replaces it, and the instant scroll ends that one before it starts.
   */
  private scrollToTop(): void {
    if (this.top === 0) return;
    this.top = 0;
    this.scroll.scrollTo({ top: 0, behavior: "smooth" });
    this.scroll.scrollTo({ top: 0, behavior: "instant" });
  }

  /** Pauses or resumes with the whole dashboard. Scrolling works in both states. */
  setUpdates(state: "paused" | "running"): void {
    this.isDashboardPaused = state === "paused";
  }

  draw(strings: Strings): void {
    const { sales, top } = this;
    this.form.draw(strings);
    if (sales === undefined) return;
    const isFrozen = this.isPaused || this.isDashboardPaused || top > this.rowHeight;
    this.frozenEnd = isFrozen ? Math.max(this.frozenEnd ?? sales.end, sales.start) : undefined;
    const end = this.frozenEnd ?? sales.end;
    const state = `${end} ${sales.start} ${top} ${this.height} ${sales.revision} ${strings.language} ${strings.times.zone.name} ${this.isDashboardPaused}`;
    if (this.drawn === state) return;
    this.drawn = state;
    this.filtered.update(sales, this.form.filter);
    const shown = this.filtered.countBefore(end);
    // While the whole dashboard is paused there is nothing newer to go to.
    this.waiting = this.isDashboardPaused ? 0 : this.filtered.count - shown;
    this.button.disabled = this.isDashboardPaused;
    const text = this.isPaused ? strings.resume : strings.pause;
    setText(this.buttonText, this.waiting > 0 ? strings.newTrades(formatCount(this.waiting)) : text);
    this.drawRows(sales, shown, top, strings);
  }

  /** Draws the visible ones of the first `total` rows that pass the filter, the last of them on top. */
  private drawRows(sales: TimeAndSales, total: number, top: number, strings: Strings): void {
    this.content.style.height = `${total * this.rowHeight}px`;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - 2);
    const visible = Math.min(total - first, Math.ceil(this.height / this.rowHeight) + 4);
    while (this.rows.length < visible) {
      const row = new RowView();
      this.rows.push(row);
      this.content.append(row.node);
    }
    this.rows.forEach((view, at) => {
      const place = first + at;
      const index = at < visible ? this.filtered.at(total - 1 - place) : undefined;
      const row = index === undefined ? undefined : sales.row(index);
      view.node.hidden = row === undefined;
      if (row !== undefined) view.show(row, place * this.rowHeight, strings);
    });
  }
}
