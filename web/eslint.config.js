import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  globalIgnores(["**/dist", "**/node_modules"]),
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["./tsconfig.json", "./tsconfig.node.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      // The page consists of numbers in text.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Index signatures are accessed with brackets, as `noPropertyAccessFromIndexSignature` would require.
      "@typescript-eslint/dot-notation": ["error", { allowIndexSignaturePropertyAccess: true }],
      "no-console": "error",
      eqeqeq: "error",
    },
  },
  {
    // Time and randomness are arguments, so that tests are deterministic.
    files: ["client/src/{model,wire,stream}/**/*.ts", "src/{format,market,topics,alerts,wire-log,strings,settings,store}/**/*.ts", "src/admin/{model,strings}/**/*.ts"],
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: "take the time as an argument" },
        { object: "Math", property: "random", message: "take randomness as an argument" },
      ],
    },
  },
);
