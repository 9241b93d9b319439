import { expect, test } from "vitest";
import { diagnose } from "./diagnosis";

const STREAM = "ws://127.0.0.1:8080/v2/iex";
const PAGE = "http://localhost:5173";

/** A server that answers a page at these paths. */
const answering =
  (...paths: readonly string[]) =>
  (url: string) =>
    Promise.resolve(paths.some((path) => url === `http://127.0.0.1:8080${path}`) ? 200 : undefined);

test("a server that answers only what pages of all origins may read refuses this page's origin", async () => {
  const { reason, message } = await diagnose(STREAM, PAGE, answering("/healthz"));

  expect(reason).toBe("origin");
  expect(message).toContain(`--allow-origin ${PAGE}`);
});

test("a server that answers nothing is unreachable, or one that tells pages of other origins nothing", async () => {
  const { reason, message } = await diagnose(STREAM, PAGE, answering());

  expect(reason).toBe("unreachable");
  expect(message).toContain(`--allow-origin ${PAGE}`);
});

test("a server that answers this page refuses for another reason", async () => {
  expect((await diagnose(STREAM, PAGE, answering("/healthz", "/v2/clock"))).reason).toBe("refused");
});

test("a page that was opened as a file is let in by the origin that browsers send for it", async () => {
  const { message } = await diagnose(STREAM, "file://", answering("/healthz"));

  expect(message).toContain("(tapecast --allow-origin null)");
});

test("a web server that is none of ours is told from one that refuses", async () => {
  const { reason, message } = await diagnose(STREAM, PAGE, () => Promise.resolve(404));

  expect(reason).toBe("refused");
  expect(message).toBe("http://127.0.0.1:8080/ is no Tapecast server");
});

test("outside of a browser there is no origin that could be refused", async () => {
  const outcomes = await Promise.all([diagnose(STREAM, undefined, answering()), diagnose(STREAM, undefined, answering("/healthz", "/v2/clock"))]);

  expect(outcomes.map(({ reason }) => reason)).toEqual(["unreachable", "refused"]);
  expect(outcomes.map(({ message }) => message).join()).not.toContain("origin");
});
