/** A row of a table. */
export interface Row<Item> {
  readonly node: HTMLElement;
  draw(item: Item): void;
}

/** Rows by the ids of what they show: an item keeps its row, and with it the focus, wherever it moves. */
export class KeyedRows<Item> {
  private readonly rows = new Map<string, Row<Item>>();
  private readonly body: HTMLElement;
  private readonly idOf: (item: Item) => string;
  private readonly makeRow: (id: string) => Row<Item>;

  constructor(body: HTMLElement, idOf: (item: Item) => string, makeRow: (id: string) => Row<Item>) {
    this.body = body;
    this.idOf = idOf;
    this.makeRow = makeRow;
  }

  /** The ids from top to bottom. */
  get ids(): readonly string[] {
    return [...this.rows.keys()];
  }

  draw(items: readonly Item[]): void {
    const focused = document.activeElement;
    const before = new Map(this.rows);
    this.rows.clear();
    for (const item of items) {
      const id = this.idOf(item);
      this.rows.set(id, before.get(id) ?? this.makeRow(id));
      before.delete(id);
    }
    for (const { node } of before.values()) node.remove();
    let place = this.body.firstElementChild;
    for (const item of items) {
      const row = this.rows.get(this.idOf(item));
      if (row === undefined) continue;
      row.draw(item);
      if (row.node === place) place = place.nextElementSibling;
      else this.body.insertBefore(row.node, place);
    }
    // A row that is moved in the document loses the focus.
    if (focused instanceof HTMLElement && focused.isConnected && focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true });
  }
}
