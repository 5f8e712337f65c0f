#!/bin/sh
# Runs workerd so that it ends together with the Node that started it, even when Node is killed outright: an
# orphan would keep the ports and the database files. Miniflare starts this in place of workerd
# (MINIFLARE_WORKERD_PATH, runtime.ts). Where the system has no such signal workerd runs as it is, and only an
# outright kill of Node alone leaves it behind.
if setpriv --pdeathsig KILL true 2>/dev/null; then
  exec setpriv --pdeathsig KILL "$FOOTFALL_WORKERD" "$@"
fi
exec "$FOOTFALL_WORKERD" "$@"
