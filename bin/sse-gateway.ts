#!/usr/bin/env node
/** The entry of the command line: everything else is loaded when it is needed. */
import { run } from '../src/cli/program.ts';

void run(process.argv.slice(2));
