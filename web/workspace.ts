import { join } from "node:path";

/** The workspace's packages by their sources, so that the page and the tests need no build of them. */
export const packageSources = {
  "@tapecast/client": join(import.meta.dirname, "client/src/index.ts"),
  "@tapecast/react": join(import.meta.dirname, "react/src/index.ts"),
};
