/** The element with this id. Throws if it is missing or of another type, which is a bug in index.html. */
export function byId<E extends Element>(id: string, kind: abstract new () => E): E {
  const element = document.getElementById(id) as Element | null;
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} with id \`${id}\``);
  return element;
}

/** Creates an element with a class and children. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

/** Creates an SVG element. */
export function makeSvg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly Node[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Sets a data attribute only if it differs, because writing always costs a style recalculation. */
export function setData(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

/** Sets the text of a node only if it differs, because writing always costs a layout. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
