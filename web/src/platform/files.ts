/** Saves a text as a file, as the browser saves downloads. */
export function saveFile(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  // The browser reads the URL after the click.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}
