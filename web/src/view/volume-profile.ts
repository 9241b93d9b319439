import type { IPrimitivePaneRenderer, IPrimitivePaneView, ISeriesPrimitive, SeriesAttachedParameter } from "lightweight-charts";
import type { VolumeRow } from "../market";
import type { Palette } from "./palette";

/** The longest row, as a part of the pane's width. */
const WIDTH = 0.22;

/** Room between two rows in pixels of the screen. */
const GAP = 1;

/** The canvas of a pane, whose type the library does not export by a name. */
type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

/** Volume at price: a histogram of horizontal rows behind the prices, from the right edge. */
export class VolumeProfile implements ISeriesPrimitive {
  private attachedTo: SeriesAttachedParameter | undefined;
  private rows: readonly VolumeRow[] = [];
  private palette: Palette | undefined;
  private readonly views: readonly IPrimitivePaneView[] = [
    {
      zOrder: () => "bottom",
      renderer: () => ({
        draw: (target) => {
          this.drawRows(target);
        },
      }),
    },
  ];

  attached(parameter: SeriesAttachedParameter): void {
    this.attachedTo = parameter;
  }

  detached(): void {
    this.attachedTo = undefined;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  show(rows: readonly VolumeRow[], palette: Palette): void {
    if (rows.length === 0 && this.rows.length === 0) return;
    this.rows = rows;
    this.palette = palette;
    this.attachedTo?.requestUpdate();
  }

  private drawRows(target: Target): void {
    const { rows, palette, attachedTo } = this;
    const most = rows.reduce((max, { rising, falling }) => Math.max(max, rising + falling), 0);
    if (palette === undefined || attachedTo === undefined || most === 0) return;
    target.useBitmapCoordinateSpace(({ context, bitmapSize, verticalPixelRatio }) => {
      const yOf = (price: number) => Math.round((attachedTo.series.priceToCoordinate(price) ?? Number.NaN) * verticalPixelRatio);
      for (const { from, to, rising, falling } of rows) {
        const [top, bottom] = [yOf(to), yOf(from)];
        if (Number.isNaN(top) || Number.isNaN(bottom)) continue;
        const height = Math.max(1, bottom - top - GAP);
        let right = bitmapSize.width;
        for (const [volume, colour] of [[rising, palette.profileUp], [falling, palette.profileDown]] as const) {
          const width = Math.round((bitmapSize.width * WIDTH * volume) / most);
          right -= width;
          context.fillStyle = colour;
          context.fillRect(right, top, width, height);
        }
      }
    });
  }
}
