// Loaded before every script (`node --import`): an old Node would fail on the first line of TypeScript with an error that
// says nothing. It is plain JavaScript for that reason. `npm ci` installs the right Node for Linux and `npm run` uses it.

const WANTED = 24;

if (Number(process.versions.node.split(".")[0]) < WANTED) {
  console.error(
    `footfall needs Node ${WANTED} or newer and this is ${process.version}. ` +
      "On Linux `npm ci` installs it: start scripts with `npm start` or `npm run …`. Elsewhere install Node first.",
  );
  process.exit(1);
}
