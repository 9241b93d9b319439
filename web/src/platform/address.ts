/** Copies a text to the clipboard, from the window that has the focus; false if that is not permitted. */
export async function copyText(text: string, from: Window = window): Promise<boolean> {
  try {
    await from.navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** The URL of the page, whose query describes the current view. Changes add no entry to the browser's history. */
export const address = {
  query: (): URLSearchParams => new URLSearchParams(location.search),
  write(query: string): void {
    if (query !== location.search) history.replaceState(null, "", query === "" ? location.pathname : query);
  },
  /** Copies the page's URL with this query to the clipboard; false if that is not permitted. */
  copy: (query: string): Promise<boolean> => copyText(new URL(query === "" ? location.pathname : query, location.href).href),
};
