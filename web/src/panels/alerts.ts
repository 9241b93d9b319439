import type { Strings } from "../strings";
import { AlertsView, type Badge, type Panel } from "../view";
import type { PanelSite } from "./host";

/** The form for a price alert, the alerts that are set, and those that fired. */
export class AlertsPanel implements Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly view: AlertsView;
  private readonly site: PanelSite;

  constructor(site: PanelSite) {
    this.site = site;
    const { alerts, client, strings } = site;
    this.view = new AlertsView({
      set: (condition, once) => alerts.set(condition, once),
      remove: (id) => {
        client.alerts.remove([id]);
      },
      clearFired: () => {
        alerts.change((book) => {
          book.clearFired();
        });
      },
      select: site.selectOrAdd,
      choose: (signal, chosen) => void this.choose(signal, chosen),
      strings,
    });
    this.node = this.view.node;
    this.head = this.view.head;
    alerts.onChange(site.redraw.invalidateNow);
  }

  open(): void {
    // The alerts are set while the panel is closed too.
  }

  close(): void {
    // As above.
  }

  select(): void {
    this.site.redraw.invalidateNow();
  }

  draw(): void {
    const { alerts, client, now, selected } = this.site;
    if (document.visibilityState === "visible") alerts.markSeen();
    const { book, last } = alerts;
    this.view.draw({
      ...{ alerts: client.alerts.all, fired: book.fired, symbol: selected(), last, now: now() },
      ...{ isSupported: client.alerts.isSupported !== "no", sound: book.sound, notification: book.notification },
    });
  }

  focus(): void {
    // The proposal is about the symbol that is shown.
    this.draw();
    const price = this.site.alerts.takeProposed();
    if (price === undefined) this.view.focus();
    else this.view.propose(price);
  }

  badge({ alerts }: Strings): Badge {
    const { unseen } = this.site.alerts;
    return { count: unseen, words: alerts.firedCount(unseen) };
  }

  private async choose(signal: "sound" | "notification", chosen: boolean): Promise<void> {
    const isAllowed = await this.site.alerts.choose(signal, chosen);
    this.view.tell(isAllowed ? "" : this.site.strings().alerts.notAllowed);
  }
}
