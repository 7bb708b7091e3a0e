// SPDX-License-Identifier: MIT
// client.mjs URL DATE: three fetches, one after another; prints [[status, body], ...] as JSON.
const [url, date] = process.argv.slice(2);
const answers = [];
let tag = null;

async function ask(headers) {
    const answer = await fetch(url, { headers });
    tag = answer.headers.get('etag');
    answers.push([answer.status, await answer.text()]);
    // A connection is free for the next fetch only after the turn in which the body ended.
    await new Promise(setImmediate);
}

await ask({});
await ask({ 'If-None-Match': tag });
await ask({ 'If-Modified-Since': date });
console.log(JSON.stringify(answers));
process.exit(0);
