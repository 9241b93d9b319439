import type { IChartApiBase, IPanePrimitive, IPrimitivePaneView, PaneAttachedParameter, Time } from "lightweight-charts";
import type { Ohlc } from "@tapecast/client";
import { DAY_MS, sessionBands, type SessionPart } from "../market";
import type { Palette } from "./palette";
import { exchangeHours } from "./exchange";

type Renderer = NonNullable<ReturnType<IPrimitivePaneView["renderer"]>>;

/** Shades what is outside of the exchange's regular hours, behind the bars. */
export class SessionShading implements IPanePrimitive {
  private chart: IChartApiBase | undefined;
  private bars: readonly Ohlc[] = [];
  private intervalMs = 0;
  private colours: Readonly<Partial<Record<SessionPart, string>>> = {};
  private readonly views: readonly IPrimitivePaneView[];

  constructor() {
    const renderer: Renderer = {
      draw: (target) => {
        target.useMediaCoordinateSpace(({ context, mediaSize }) => {
          for (const { left, right, colour } of this.bands()) {
            context.fillStyle = colour;
            context.fillRect(left, 0, right - left, mediaSize.height);
          }
        });
      },
    };
    this.views = [{ zOrder: () => "bottom", renderer: () => renderer }];
  }

  /** Bars of a series, in which later ones may appear. */
  show(bars: readonly Ohlc[], intervalMs: number): void {
    this.bars = bars;
    this.intervalMs = intervalMs;
  }

  setColours({ preMarket, afterHours, closed }: Palette): void {
    this.colours = { preMarket, afterHours, closed };
  }

  attached({ chart }: PaneAttachedParameter): void {
    this.chart = chart;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  /** The shaded parts of what is in sight, in pixels. */
  private bands(): readonly { readonly left: number; readonly right: number; readonly colour: string }[] {
    const scale = this.chart?.timeScale();
    const visible = scale?.getVisibleRange() ?? undefined;
    if (scale === undefined || visible === undefined || this.intervalMs >= DAY_MS) return [];
    const [from, to] = [Number(visible.from) * 1_000, Number(visible.to) * 1_000];
    const half = scale.options().barSpacing / 2;
    const xOf = (ms: number) => scale.timeToCoordinate((ms / 1_000) as Time) ?? undefined;
    return sessionBands(this.bars, { from, to, lengthMs: this.intervalMs }, exchangeHours).flatMap(({ part, first, last }) => {
      const [colour, left, right] = [this.colours[part], xOf(first), xOf(last)];
      return colour === undefined || left === undefined || right === undefined ? [] : [{ left: left - half, right: right + half, colour }];
    });
  }
}
