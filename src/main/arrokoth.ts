#!/usr/bin/env node
/**
 * The program `arrokoth`.
 */
import { runArrokoth } from '../cli/index.ts';
import { openCliDoors } from './open-cli-doors.ts';

process.exit(await runArrokoth(process.argv.slice(2), openCliDoors()));
