// What every player does: visit each client's start page and wait until its flow has come to an end.
import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds that one flow may take on a loaded machine; the slow sign-in needs eight seconds of them. */
const patience = 60_000;

/** Plays the clients with `go(url)`, `title()` and `signIn()` of a browser; throws on the first flow that fails. */
export async function play({ go, title, signIn }, chosen) {
  for (const client of chosen) {
    await go(client.start);
    const end = Date.now() + patience;
    let seen = '';
    while (!/^(done|failed)/.test(seen) && Date.now() < end) {
      await pause(50);
      seen = await title();
      if (seen === 'Sign in') await signIn();
    }
    if (!seen.startsWith('done')) throw new Error(`${client.id}: the flow did not end (${seen || 'no title'})`);
  }
}

/** Stops every process of a group while `work` runs, as when a profile is imaged on a running machine. */
export async function frozen(group, work) {
  process.kill(-group, 'SIGSTOP');
  try {
    return await work();
  } finally {
    process.kill(-group, 'SIGCONT');
  }
}

/** What a page does that signs its user out: deletes its storage item by item. */
export const emptyStorage = 'for (const key of Object.keys(localStorage)) localStorage.removeItem(key);';
