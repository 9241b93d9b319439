import { afterAll, beforeAll, onTestFinished } from "vitest";
import { Browser } from "./browser";
import { Server } from "./server";

/** The real server, and a browser for its pages. */
export interface Real {
  readonly server: Server;
  readonly browser: Browser;
}

/** Starts both for the test that calls it. */
export async function realForTest(): Promise<Real> {
  const real = await startReal();
  onTestFinished(() => endReal(real));
  return real;
}

/** Both for all tests of a file, at whose top it is to be called. They are there when its tests run. */
export function realForFile(): Real {
  let real: Real;
  beforeAll(async () => {
    real = await startReal();
  });
  afterAll(() => endReal(real));
  return {
    get server() {
      return real.server;
    },
    get browser() {
      return real.browser;
    },
  };
}

async function startReal(): Promise<Real> {
  const server = await Server.onFreePort();
  await server.start();
  return { server, browser: await Browser.start() };
}

async function endReal({ server, browser }: Real): Promise<void> {
  await browser.stop();
  await server.kill();
}
