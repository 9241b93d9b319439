import { defineConfig } from "vite";
import { library } from "../library.ts";

export default defineConfig(library(import.meta.dirname, ["react", "@tapecast/client"]));
