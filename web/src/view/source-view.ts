import { make, setText } from "./dom";
import { panelSection } from "./panel-parts";

/** A figure with its name. */
export interface SourceFigure {
  /** Unique within its group. */
  readonly id: string;
  readonly name: string;
  readonly value: string;
}

export interface SourceFigures {
  readonly id: string;
  readonly title: string;
  readonly figures: readonly SourceFigure[];
}

/** What feeds the page: groups of names and figures. */
export class SourceView {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly groups = make("div", "source-groups");
  private readonly body = make("div", "source-body", this.groups);
  /** The groups and figures that have nodes now. */
  private drawn = "";

  constructor() {
    const { node, head } = panelSection("source-panel", "dataSource");
    this.node = node;
    this.head = head;
    // Scrollable, and so to be reached by the keyboard.
    this.body.tabIndex = 0;
    this.body.role = "group";
    this.body.dataset["label"] = "dataSource";
    node.append(this.body);
  }

  draw(groups: readonly SourceFigures[]): void {
    const drawn = groups.map(({ id, figures }) => `${id}:${figures.map((figure) => figure.id).join(",")}`).join(";");
    if (drawn !== this.drawn) this.groups.replaceChildren(...groups.map(groupOf));
    this.drawn = drawn;
    groups.forEach(({ title, figures }, at) => {
      const section = this.groups.children[at];
      const [heading, list] = section?.children ?? [];
      if (heading === undefined || list === undefined) return;
      setText(heading, title);
      figures.forEach(({ name, value }, row) => {
        const [term, figure] = list.children[row]?.children ?? [];
        if (term !== undefined) setText(term, name);
        if (figure !== undefined) setText(figure, value);
      });
    });
  }

  focus(): void {
    this.body.focus();
  }
}

/** The nodes of a group, without their texts. The figures are those of the latest answer: they turn grey with the prices. */
function groupOf({ id, figures }: SourceFigures): HTMLElement {
  const section = make("section", "source-group", make("h3", ""), make("dl", "", ...figures.map(() => make("div", "", make("dt", ""), make("dd", "figure")))));
  section.dataset["group"] = id;
  figures.forEach((figure, at) => {
    const row = section.lastElementChild?.children[at];
    if (row instanceof HTMLElement) row.dataset["figure"] = figure.id;
  });
  return section;
}
