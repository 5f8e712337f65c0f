// footfall snippet: what a merchant pastes into its pages, for the scripts that the collector serves now. The script is
// named by its hash, so the page gets these bytes for ever, and checked by the browser (`integrity`).

import type { Command } from "commander";
import { isTrackingIdShaped } from "../../core/tracking-id.ts";
import { type TrackerName, type TrackerScript, toScript } from "../build-tracker.ts";
import { Problem } from "../problem.ts";
import { connect, noAnswer, nowhere } from "./connection.ts";

interface Options {
  readonly trackingId?: string;
  readonly pageViews?: true;
  readonly latest?: true;
}

/** Lets a page say things before the script is there. */
const QUEUE =
  "<script>window.footfall=window.footfall||function(){(footfall.q=footfall.q||[]).push(arguments)}</script>";

export function addSnippet(program: Command): void {
  program
    .command("snippet")
    .description("the tracker's markup for a page's head")
    .option("--tracking-id <id>", "the stream (default: the local demo's); `stream list` shows them")
    .option("--page-views", "the smaller script, for page views alone")
    .option("--latest", "the address that always has the newest script, without integrity")
    .action(async (options: Options, command: Command) => {
      const connection = await connect(command);
      const { collectorUrl, stateDir } = connection;
      if (collectorUrl === undefined) throw new Problem(nowhere("--collector-url", stateDir));
      const trackingId = options.trackingId ?? connection.trackingId;
      if (trackingId === undefined) throw new Problem("name the stream with --tracking-id; `stream list` shows them");
      if (!isTrackingIdShaped(trackingId)) {
        throw new Problem(`"${trackingId}" is not a tracking ID; \`stream list\` shows them`);
      }
      const script = await fetchScript(collectorUrl, options.pageViews ? "p" : "t");
      const { json } = command.optsWithGlobals<{ json?: boolean }>();
      const { name, file, integrity } = script;
      if (json)
        console.log(
          JSON.stringify({ url: `${collectorUrl}/${file}`, integrity, latest: `${collectorUrl}/${name}.js` }),
        );
      else console.log(toSnippet({ collectorUrl, trackingId, script, isLatest: options.latest === true }));
    });
}

interface Snippet {
  readonly collectorUrl: string;
  readonly trackingId: string;
  readonly script: TrackerScript;
  readonly isLatest: boolean;
}

/** The markup: the queue, the script, and the pixel for pages without script. */
export function toSnippet({ collectorUrl, trackingId, script, isLatest }: Snippet): string {
  const source = isLatest
    ? `src="${collectorUrl}/${script.name}.js"`
    : `src="${collectorUrl}/${script.file}" integrity="${script.integrity}" crossorigin="anonymous"`;
  const pixel = `${collectorUrl}/v1/pixel.gif?tracking_id=${encodeURIComponent(trackingId)}`;
  // By its default policy an image of another site would only be told the host, and every page would be "/".
  return `${QUEUE}
<script defer ${source} data-tracking-id="${trackingId}"></script>
<noscript><img src="${pixel}" alt="" referrerpolicy="no-referrer-when-downgrade"></noscript>`;
}

async function fetchScript(collectorUrl: string, name: TrackerName): Promise<TrackerScript> {
  const response = await fetch(`${collectorUrl}/${name}.js`).catch((error: unknown) => {
    throw new Problem(noAnswer(collectorUrl, error));
  });
  if (!response.ok)
    throw new Problem(`${collectorUrl}/${name}.js answers ${response.status}; is it a Footfall collector?`);
  return toScript(name, await response.text());
}
