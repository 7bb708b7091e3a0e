// SPDX-License-Identifier: MIT
// The tests of a suite that is not a browser's, as JSON: list.mjs SUITE-FOLDER. Used by run.
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const folder = process.argv[2] + '/tests/'
const load = async (name) => (await import(pathToFileURL(folder + name))).default
const suites = await load('index.mjs')
if (existsSync(folder + 'surrogate-control.mjs')) suites.push(await load('surrogate-control.mjs'))

const tests = []
for (const suite of suites) {
  for (const test of suite.tests) {
    if (test.browser_only === true) continue
    tests.push({ id: test.id, kind: test.kind || 'required', name: test.name, suite: suite.name, needs: test.depends_on || [] })
  }
}
console.log(JSON.stringify(tests))
