// How many bytes an isolate of workerd allocates: its heap is looked at every few milliseconds by the inspector while
// it is under load. Where the heap has shrunk it was collected in between; those moments are left out, and what is
// measured in the others stands for all of the time.

/** What the inspector says of a Worker's heap, and how to hear no more of it. */
export interface HeapWatch {
  /** Ends it; bytes that were allocated since it began. */
  readonly stop: () => Promise<number>;
}

const EVERY_MS = 5;

/** Begins to watch a Worker of a runtime that was started with an inspector. */
export async function watchHeap(inspector: URL, worker: string): Promise<HeapWatch> {
  const socket = new WebSocket(new URL(`/core:user:${worker}`, inspector).href);
  await new Promise((settle, fail) => {
    socket.addEventListener("open", settle);
    socket.addEventListener("error", () => fail(new Error(`the inspector has no Worker ${worker}`)));
  });
  const answers = new Map<number, (used: number) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: { usedSize: number } };
    if (id !== undefined && result !== undefined) answers.get(id)?.(result.usedSize);
  });
  let asked = 0;
  const usedBytes = () =>
    new Promise<number>((settle) => {
      asked += 1;
      answers.set(asked, settle);
      socket.send(JSON.stringify({ id: asked, method: "Runtime.getHeapUsage" }));
    });
  let isWatching = true;
  const begun = performance.now();
  const watching = (async () => {
    let [bytes, ms] = [0, 0];
    let last = { used: await usedBytes(), at: performance.now() };
    while (isWatching) {
      await new Promise((settle) => setTimeout(settle, EVERY_MS));
      const now = { used: await usedBytes(), at: performance.now() };
      if (now.used >= last.used) {
        bytes += now.used - last.used;
        ms += now.at - last.at;
      }
      last = now;
    }
    socket.close();
    return (bytes / ms) * (performance.now() - begun);
  })();
  return {
    stop: () => {
      isWatching = false;
      return watching;
    },
  };
}
