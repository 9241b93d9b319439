/** Lets files be dropped on an element. While one is over it, the element has `data-drop`. */
export function listenToFileDrops(node: HTMLElement, dropped: (file: File) => void): void {
  const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files") === true;
  for (const event of ["dragenter", "dragover"] as const) {
    node.addEventListener(event, (drag) => {
      if (!hasFiles(drag)) return;
      drag.preventDefault();
      if (drag.dataTransfer !== null) drag.dataTransfer.dropEffect = "copy";
      node.dataset["drop"] = "true";
    });
  }
  node.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node && node.contains(relatedTarget))) delete node.dataset["drop"];
  });
  node.addEventListener("drop", (drop) => {
    delete node.dataset["drop"];
    if (!hasFiles(drop)) return;
    drop.preventDefault();
    for (const file of drop.dataTransfer?.files ?? []) dropped(file);
  });
}
