// Loaded before every script (`node --import`): an old Node would fail on the first line of TypeScript with
// an error that says nothing. It is plain JavaScript for that reason. `npm ci` installs the right Node for
// Linux and `npm run` uses it.

const WANTED = 24;

if (Number(process.versions.node.split(".")[0]) < WANTED) {
  console.error(
    `footfall: this is Node ${process.version}, and the scripts need ${WANTED} or newer. ` +
      (process.platform === "linux"
        ? "`npm ci` installs it beside the other packages: run that, then start scripts with `npm start` or `npm run …`."
        : `Install Node ${WANTED} (https://nodejs.org, or \`nvm install ${WANTED}\`) and run the same command again.`),
  );
  process.exit(1);
}
