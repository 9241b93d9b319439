/** What sessions are sorted by, in the order of the table's columns. */
export const SESSION_SORTS = ["age", "bytes", "backlog", "stalled", "gaps"] as const;

export type SessionSort = (typeof SESSION_SORTS)[number];

/** Which sessions are listed, and in which order. The server sorts: it has more of them than the page. */
export interface SessionQuery {
  readonly sort: SessionSort;
  readonly order: "desc" | "asc";
  readonly limit: number;
  readonly address: string;
  readonly key: string;
  /** Empty for all feeds. */
  readonly feed: string;
  readonly isMutedOnly: boolean;
}

/** As many sessions are listed at first, and at most. */
export const FIRST_LIMIT = 100;
export const MAX_LIMIT = 1_000;

export const FIRST_QUERY: SessionQuery = { sort: "backlog", order: "desc", limit: FIRST_LIMIT, address: "", key: "", feed: "", isMutedOnly: false };

/** The path below the API of this query. */
export function sessionsPath({ sort, order, limit, address, key, feed, isMutedOnly }: SessionQuery): string {
  const parameters = { sort, order, limit: String(limit), address: address.trim(), key: key.trim(), feed, muted: isMutedOnly ? "true" : "" };
  const query = Object.entries(parameters).flatMap(([name, value]) => (value === "" ? [] : `${name}=${encodeURIComponent(value)}`));
  return `sessions?${query.join("&")}`;
}

/** The query after a click on a column's head: the greatest first, then the smallest. */
export const sortedBy = (query: SessionQuery, sort: SessionSort): SessionQuery => ({
  ...query,
  sort,
  order: query.sort === sort && query.order === "desc" ? "asc" : "desc",
});

/** Whether the slowest sessions of all are asked for. */
export const isFirst = (query: SessionQuery): boolean => sessionsPath({ ...query, limit: FIRST_LIMIT }) === sessionsPath(FIRST_QUERY);

export const isFiltered = ({ address, key, feed, isMutedOnly }: SessionQuery): boolean => isMutedOnly || [address.trim(), key.trim(), feed].some((value) => value !== "");

/**
 * The order of rows while the user points at them: those that are there keep their places, so that a click meets the row that was
 * aimed at; those that are gone leave, and new ones are appended.
 */
export function heldOrder(shown: readonly string[], next: readonly string[]): readonly string[] {
  const [before, after] = [new Set(shown), new Set(next)];
  return [...shown.filter((id) => after.has(id)), ...next.filter((id) => !before.has(id))];
}
