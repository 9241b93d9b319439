import { CHART_STYLES, MAX_COMPARED, STUDIES, type ChartLook, type Obstacle, type Study } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { PageText, Strings } from "../strings";
import { make } from "./dom";
import { makeButton, translated } from "./panel-parts";
import { menuCheckbox, popoverMenu } from "./popover-menu";
import { SymbolSearch, type SearchActions } from "./symbol-search";
import { translateTexts } from "./translate";

export interface ChartMenuActions {
  readonly look: () => ChartLook;
  readonly change: (change: Partial<ChartLook>) => void;
  /** Why a study would not be drawn now. */
  readonly obstacleOf: (study: Study) => Obstacle | undefined;
  readonly find: SearchActions["find"];
  readonly onInstruments: SearchActions["onChange"];
  readonly strings: () => Strings;
}

/** The studies in the menu. */
const GROUPS: readonly (readonly [title: PageText, studies: readonly Study[]])[] = [
  ["indicators", ["ema9", "ema21", "vwap", "rsi"]],
  ["chartLines", ["previousClose", "dayRange", "volumeAtPrice"]],
];

/** The button in the head of a chart and the menu that it opens: what the chart draws. `id` is that of the panel. */
export function makeChartMenu(id: string, actions: ChartMenuActions): { readonly button: HTMLElement; readonly menu: HTMLElement } {
  const button = makeButton("button small chart-menu-button", "chart");
  const compared = make("div", "compared");
  const search = new SymbolSearch(
    {
      find: actions.find,
      onChange: actions.onInstruments,
      isWatched: (symbol) => actions.look().compared.includes(symbol),
      choose: (symbol) => {
        change([...actions.look().compared.filter((other) => other !== symbol), symbol].slice(-MAX_COMPARED));
      },
      addText: () => false,
      strings: actions.strings,
    },
    { id: `compare-${id}`, label: "compareSymbol" },
  );
  const change = (symbols: readonly StockSymbol[]) => {
    actions.change({ compared: symbols });
    fillCompared();
    // What had the focus may be gone or hidden.
    const focused = menu.ownerDocument.activeElement;
    if (!menu.contains(focused) || focused?.closest("[hidden]") !== null) (compared.querySelector("button") ?? menu.querySelector<HTMLElement>(`#compare-${id}`))?.focus();
  };
  const fillCompared = () => {
    const { look, strings } = actions;
    const { removeCompared, comparedFull } = strings().chart;
    const symbols = look().compared;
    const chips = symbols.map((symbol, at) => {
      const remove = make("button", "compared-symbol", lineSample(at), symbol, " ×");
      Object.assign(remove, { type: "button", ariaLabel: removeCompared(symbol), title: removeCompared(symbol) });
      remove.addEventListener("click", () => {
        change(symbols.filter((other) => other !== symbol));
      });
      return remove;
    });
    const isFull = symbols.length >= MAX_COMPARED;
    search.node.hidden = isFull;
    compared.replaceChildren(...chips, ...(isFull ? [make("small", "", comparedFull(MAX_COMPARED))] : []));
  };
  const menu = popoverMenu(button, "chart-menu", "chartMenu", () => {
    fillCompared();
    const comparison = make("fieldset", "choice", translated("legend", "", "compare"), compared, search.node);
    menu.replaceChildren(stylesOf(id, actions), ...GROUPS.map(([title, studies]) => groupOf(title, studies, actions)), comparison);
    translateTexts(menu, actions.strings());
  });
  return { button, menu };
}

function lineSample(line: number): HTMLElement {
  const sample = make("span", "line-sample");
  sample.dataset["line"] = String(line);
  return sample;
}

function stylesOf(id: string, { look, change, strings }: ChartMenuActions): HTMLElement {
  const labels = CHART_STYLES.map((style) => {
    const input = make("input", "");
    Object.assign(input, { type: "radio", name: `style-${id}`, checked: look().style === style });
    input.addEventListener("change", () => {
      change({ style });
    });
    return make("label", "", input, make("span", "", strings().chart.styles[style]));
  });
  return make("fieldset", "choice", translated("legend", "", "chartStyle"), make("div", "segments", ...labels));
}

function groupOf(title: PageText, studies: readonly Study[], { look, change, obstacleOf, strings }: ChartMenuActions): HTMLElement {
  const { chart } = strings();
  const boxes = studies.map((study) => {
    const { label, input } = menuCheckbox(chart.studies[study].name, look().studies.includes(study), (isChecked) => {
      const chosen = look().studies;
      change({ studies: STUDIES.filter((other) => (other === study ? isChecked : chosen.includes(other))) });
    });
    const obstacle = obstacleOf(study);
    input.disabled = obstacle !== undefined;
    if (obstacle !== undefined) label.append(make("small", "", chart.obstacles[obstacle]));
    return label;
  });
  return make("fieldset", "choice", translated("legend", "", title), ...boxes);
}
