// The last line of a run, from the test runner's own report: `summary.cjs REPORT CHECKS`, where CHECKS
// is the exit status of what ran besides the tests.
const { readFileSync } = require('node:fs');

const [file, checks] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const report =
  text === '' ? { testResults: [], numPassedTests: 0, numFailedTests: 1 } : JSON.parse(text);

// A file that cannot be loaded has no test of its own, and is a failure all the same.
const broken = report.testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
).length;
const failedTests = report.numFailedTests + broken;
const failed = failedTests === 0 && checks !== '0' ? 1 : failedTests;

console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
