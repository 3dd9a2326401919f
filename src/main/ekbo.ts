#!/usr/bin/env node
/**
 * The program `ekbo`: kuiperbelt's command line over the same node.
 */
import { runEkbo } from '../cli/index.ts';
import { openCliDoors } from './open-cli-doors.ts';

process.exit(await runEkbo(process.argv.slice(2), openCliDoors()));
