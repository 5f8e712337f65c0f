// The background Worker. It consumes the queues and runs the cron. It is a Worker of its own so that sealing shares
// neither memory nor a deployment with answering questions. This file is wiring only. The Worker has no public address;
// the query Worker calls `Operations`.

import { WorkerEntrypoint } from "cloudflare:workers";
import { AUDIT_KEPT_MS } from "../../core/limits.ts";
import type { Metered } from "../../core/meter.ts";
import { causeOf } from "../../core/outcome.ts";
import type { RedrivenPage, RedriveRequest } from "../../core/redrive.ts";
import { ageBlocks } from "../../queues/age.ts";
import { archive, archiveBody } from "../../queues/archive.ts";
import { storeDeadLetters } from "../../queues/dead-letter.ts";
import { driveErasures } from "../../queues/erasure.ts";
import type { QueueBatch } from "../../queues/message.ts";
import { deliverBody, deliverOverflow } from "../../queues/overflow.ts";
import { answerParts, driveQuestions } from "../../queues/question.ts";
import { redrive } from "../../queues/redrive.ts";
import { driveReplays, replayBody, replayParts } from "../../queues/replay.ts";
import { driveSeals, sealDays } from "../../queues/seal.ts";
import { forgetEntries } from "../../storage/directory/audit.ts";
import { type Backup, backUp, backUpWhenDue } from "../../storage/directory/backup.ts";
import { logChanges } from "../../storage/directory/change-log.ts";
import { raiseEpoch } from "../../storage/directory/epoch.ts";
import { type Recovered, type RecoveryRefusal, recoverDirectory } from "../../storage/directory/recovery.ts";
import { forgetEnded } from "../../storage/directory/sessions.ts";
import { visitEach } from "../../storage/ledger/ledgers.ts";
import { forgetOverflow } from "../../storage/ledger/overflow-note.ts";
import { archiveDeps, letterDeps, overflowDeps } from "./consumer-deps.ts";
import { type CronSteps, runCron } from "./cron.ts";
import { type Deps, depsOf } from "./deps.ts";
import type { BackgroundEnv } from "./env.ts";
import { claimKnownNumbers } from "./known-number.ts";
import { sendNotices } from "./outbox.ts";
import { fetchRates } from "./rate-fetch.ts";
import { narrowSpreads } from "./spread-narrow.ts";
import { tellStatus } from "./status.ts";
import { watch } from "./watch.ts";

/**
 * The consumer of each queue, by the queue's duty. The duty is the queue's name without the deployment in front and the
 * number behind.
 */
const CONSUMERS: Readonly<Record<string, (batch: QueueBatch, deps: Deps) => Promise<void>>> = {
  archive: (batch, deps) => archive(batch, archiveDeps(deps)),
  "archive-dead-letter": (batch, deps) => storeDeadLetters(batch, letterDeps(deps)),
  overflow: (batch, deps) => deliverOverflow(batch, overflowDeps(deps)),
  "overflow-dead-letter": (batch, deps) => storeDeadLetters(batch, letterDeps(deps)),
  replay: replayParts,
  "replay-dead-letter": (batch, deps) => storeDeadLetters(batch, letterDeps(deps)),
  question: answerParts,
  seal: sealDays,
};

const QUEUE_NUMBER = /-\d+$/;

/** Handles the dead letters of each queue again, with the code of the queue's consumer. */
const handlersOf = (deployment: string, deps: Deps): Readonly<Record<string, (body: unknown) => Promise<void>>> => ({
  [`${deployment}-archive`]: (body) => archiveBody(body, archiveDeps(deps)),
  [`${deployment}-overflow`]: (body) => deliverBody(body, overflowDeps(deps)),
  [`${deployment}-replay`]: (body) => replayBody(body, deps),
});

/** The steps of the cron, which runs every five minutes. */
const CRON: CronSteps<Deps> = {
  drive_seals: driveSeals,
  drive_replays: driveReplays,
  drive_questions: driveQuestions,
  drive_erasures: driveErasures,
  age_blocks: ageBlocks,
  fetch_rates: fetchRates,
  forget_audit: ({ directory, now }) => forgetEntries(directory, now() - AUDIT_KEPT_MS),
  forget_sessions: ({ directory, now }) => forgetEnded(directory, now()),
  forget_overflow: ({ ledgers, now, log }) => visitEach(ledgers, (ledger) => forgetOverflow(ledger, now()), log),
  narrow_spreads: narrowSpreads,
  claim_known_numbers: claimKnownNumbers,
  watch,
  send_notices: sendNotices,
  raise_epoch: async (deps) => {
    if (!(await raiseEpoch(deps))) deps.log({ event: "directory_behind" });
  },
  log_changes: (deps) => logChanges(0, deps),
  back_up_directory: backUpWhenDue,
  keep_meter: ({ keepMeter }) => keepMeter(),
  tell_status: tellStatus,
};

/** What operators can make this Worker do, through the query Worker's API, and what it asks others for it. */
export class Operations extends WorkerEntrypoint<BackgroundEnv> {
  redrive(request: RedriveRequest): Promise<RedrivenPage> {
    const deps = depsOf(this.env);
    return redrive(request, { ...letterDeps(deps), handlers: handlersOf(this.env.DEPLOYMENT, deps) });
  }

  backUpDirectory(): Promise<Backup> {
    return backUp(depsOf(this.env));
  }

  /** The directory may be an empty database here. So it is used without the check that other requests make first. */
  recoverDirectory(asked: { readonly name?: string | undefined }): Promise<Recovered | RecoveryRefusal> {
    const deps = depsOf(this.env);
    const { directory, ledgers } = deps.unchecked;
    const claims = { bucket: deps.objects };
    return recoverDirectory(asked, { ...deps, directory, ledgers: ledgers.length, claims });
  }

  /** The texts of DNS at a name, or undefined where the resolver does not say. */
  async readTexts(name: string): Promise<readonly string[] | undefined> {
    const { readTexts, log } = depsOf(this.env);
    try {
      return await readTexts(name);
    } catch (error) {
      log({ event: "resolver_failed", error: causeOf(error) });
      return undefined;
    }
  }

  /** The billable operations of this isolate since it started. */
  meter(): Metered {
    return depsOf(this.env).meter;
  }
}

export default {
  async queue(batch, env) {
    const mine = `${env.DEPLOYMENT}-`;
    const duty = batch.queue.slice(mine.length).replace(QUEUE_NUMBER, "");
    const consume = batch.queue.startsWith(mine) ? CONSUMERS[duty] : undefined;
    if (consume === undefined) throw new Error(`no consumer for the queue ${batch.queue}`);
    const deps = depsOf(env);
    await consume(batch, deps);
    await deps.keepMeter();
  },

  async scheduled(_, env) {
    await runCron(CRON, depsOf(env));
  },
} satisfies ExportedHandler<BackgroundEnv>;
