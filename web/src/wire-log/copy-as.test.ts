import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { copyAs } from "./copy-as";
import { fillIn, TEMPLATES } from "./templates";

const URL = "ws://127.0.0.1:8080/websocket/connect?userId=Ann%20&x=$(id)";
const TRICKY = `{"d":"it's \\"q\\" $HOME \`id\` \\\\ 价 😀 \u2028"}`;

test("the command for wscat is one that a shell passes on unchanged", () => {
  const words = execFileSync("sh", ["-c", copyAs("wscat", { url: URL, message: TRICKY }).replace(/^wscat/, "printf '%s\\n'")], { encoding: "utf8" });
  expect(words.split("\n")).toEqual(["-c", URL, "-x", TRICKY, "-w", "10", ""]);
});

test("the script for the console connects, sends and shows what comes", () => {
  const opened: { url: string; sent: string[]; onopen?: () => void; onmessage?: (event: { data: unknown }) => void }[] = [];
  const shown: unknown[] = [];
  class Socket {
    readonly url: string;
    readonly sent: string[] = [];
    constructor(url: string) {
      this.url = url;
      opened.push(this);
    }
    send(text: string): void {
      this.sent.push(text);
    }
  }
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- what the user does with it
  new Function("WebSocket", "console", copyAs("console", { url: URL, message: TRICKY }))(Socket, { log: (data: unknown) => shown.push(data) });
  opened[0]?.onopen?.();
  opened[0]?.onmessage?.({ data: "[]" });
  expect([opened[0]?.url, opened[0]?.sent, shown]).toEqual([URL, [TRICKY], ["[]"]]);
});

test("the literals for Python have no escape that Python reads otherwise", () => {
  const text = copyAs("python", { url: URL, message: TRICKY });
  expect(text).toContain(`    socket.send("{\\"d\\":\\"it's \\\\\\"q\\\\\\" $HOME \`id\` \\\\\\\\ 价 😀 \\u2028\\"}")`);
  expect(text).toContain(`with connect("${URL}") as socket:`);
  // A surrogate pair in escapes is one character in JavaScript and two in Python.
  expect(text).not.toMatch(/\\ud[89ab]/i);
});

test("a secret is not copied, neither that of the message nor that of the address", () => {
  for (const format of ["wscat", "console", "python"] as const) {
    const text = copyAs(format, { url: "ws://host/v2/iex?key=a&secret=hunter2", message: '{"action":"auth","key":"desk","secret":"hunter2"}' });
    expect(text).not.toContain("hunter2");
    expect(text.match(/YOUR_SECRET/g)).toHaveLength(2);
    expect(text).toContain("desk");
  }
});

test("without a message there is nothing to send", () => {
  expect(copyAs("wscat", { url: "ws://host/" , message: undefined })).toBe("wscat -c 'ws://host/'");
  expect(copyAs("console", { url: "ws://host/", message: undefined })).not.toContain("send");
  expect(copyAs("python", { url: "ws://host/", message: undefined })).not.toContain("send");
});

test("every template is a command with an id of a text, except the one that is malformed and the one without", () => {
  const texts = TEMPLATES.map((template) => [template, fillIn(template, { symbol: "KO", epoch: "k3", keyId: undefined, id: "wire-1" })] as const);
  for (const [template, text] of texts) {
    if (template === "malformed") expect(() => JSON.parse(text) as unknown).toThrow();
    else expect(JSON.parse(text)).toMatchObject(template === "auth" ? { action: "auth", secret: "YOUR_SECRET" } : { x: { id: "wire-1" } });
  }
});
