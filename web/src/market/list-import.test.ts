import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { withImported } from "./list-import";
import type { ListItem, Section } from "./list-items";

const section = (name: string): Section => ({ id: name, name, isFolded: false });
const imported = (name: string, of?: string) => ({ symbol: symbol(name), section: of, position: undefined });
const textOf = (items: readonly ListItem[]) => items.map((item) => (typeof item === "string" ? item : `[${item.name}]`)).join(" ");

test("imported symbols go to the end of their section, which is added if the list has none of its name", () => {
  const list: readonly ListItem[] = [symbol("KO"), section("Tech"), symbol("AAPL"), section("Oil"), symbol("XOM")];

  const result = withImported(list, [imported("MSFT", "Tech"), imported("V", "Money"), imported("MA", "Money"), imported("CVX", "Oil")], () => "new");

  expect(textOf(result)).toBe("KO [Tech] AAPL MSFT [Oil] XOM CVX [Money] V MA");
});

test("symbols that the list has stay where they are, and a symbol is imported once", () => {
  const list: readonly ListItem[] = [symbol("KO"), section("Tech"), symbol("AAPL")];

  expect(textOf(withImported(list, [imported("KO", "Tech"), imported("V"), imported("V", "Tech")], () => "new"))).toBe("KO [Tech] AAPL V");
});
