import { make } from "./dom";

/** The attributes of the page that its style depends on: theme, colours, language, what is stale, what is paused. */
const MIRRORED = { attributes: true } as const;

export interface PopOutActions {
  /** The user closed the window. */
  readonly closed: () => void;
  readonly keydown: (press: KeyboardEvent) => void;
}

/**
 * Opens a window of its own for a panel, with the page's style; undefined if the browser forbids it.
 *
 * The document stays the one of this page's scripts, so the panel goes on as before. Theme, language and `data-stale` are
 * copied whenever they change: stale prices are grey in every window.
 */
export function openWindow(node: HTMLElement, title: string, { closed, keydown }: PopOutActions): Window | undefined {
  const { width, height } = node.getBoundingClientRect();
  const popup = window.open("", "", `popup,width=${Math.round(Math.max(320, width))},height=${Math.round(Math.max(240, height))}`);
  if (popup === null) return undefined;
  const { document: other } = popup;
  writeDoctype(other);
  other.title = title;
  for (const sheet of document.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]")) {
    const link = other.importNode(make("link", ""));
    Object.assign(link, { rel: "stylesheet", href: sheet.href });
    other.head.append(link);
  }
  const pairs = [[document.documentElement, other.documentElement], [document.body, other.body]] as const;
  const observers = pairs.map(([from, to]) => {
    const mirror = () => {
      for (const { name, value } of from.attributes) to.setAttribute(name, value);
      to.toggleAttribute("data-popout", true);
    };
    const observer = new MutationObserver(mirror);
    observer.observe(from, MIRRORED);
    mirror();
    return observer;
  });
  other.body.append(node);
  other.addEventListener("keydown", keydown);
  const close = () => {
    popup.close();
  };
  addEventListener("pagehide", close);
  popup.addEventListener("pagehide", () => {
    for (const observer of observers) observer.disconnect();
    removeEventListener("pagehide", close);
    closed();
  });
  return popup;
}

/** A blank window's document has no doctype, which would give it the layout rules of old pages. */
function writeDoctype(blank: Document): void {
  blank.open();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else makes a document that is in a window already follow the standards
  blank.write("<!doctype html><title></title>");
  blank.close();
}
