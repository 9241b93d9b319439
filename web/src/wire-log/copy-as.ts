import { visible } from "./fold";
import { MASK, maskText } from "./mask";
import { SECRET_PLACEHOLDER } from "./templates";

/** Programs that a command can be copied for. */
export const COPY_FORMATS = ["wscat", "console", "python"] as const;

export type CopyFormat = (typeof COPY_FORMATS)[number];

export interface Command {
  readonly url: string;
  /** The message to send; undefined to only connect and listen. */
  readonly message: string | undefined;
}

/** A text that connects, sends the message and shows what comes. A secret in it is replaced by a placeholder. */
export function copyAs(format: CopyFormat, command: Command): string {
  const [url, text] = [withoutSecrets(command.url), command.message === undefined ? undefined : withoutSecrets(command.message)];
  switch (format) {
    case "wscat":
      return `wscat -c ${shell(url)}${text === undefined ? "" : ` -x ${shell(text)} -w 10`}`;
    case "console":
      return [
        `const socket = new WebSocket(${literal(url)});`,
        'socket.binaryType = "arraybuffer";',
        "socket.onmessage = ({ data }) => console.log(data);",
        "socket.onclose = ({ code, reason }) => console.log(code, reason);",
        ...(text === undefined ? [] : [`socket.onopen = () => socket.send(${literal(text)});`]),
      ].join("\n");
    case "python":
      return [
        "# pip install websockets",
        "from websockets.sync.client import connect",
        "",
        `with connect(${literal(url)}) as socket:`,
        ...(text === undefined ? [] : [`    socket.send(${literal(text)})`]),
        "    for message in socket:",
        "        print(message)",
      ].join("\n");
  }
}

const withoutSecrets = (text: string): string => maskText(text).replaceAll(MASK, SECRET_PLACEHOLDER);

/** A word of a POSIX shell. Nothing in single quotes has a meaning. */
const shell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A string literal of JavaScript and of Python, which read the escapes of JSON alike, those of surrogate pairs excepted. */
const literal = (text: string): string => visible(JSON.stringify(text));
