/** Owns the start of the page. */
import { Page } from './page.js';

new Page().start();
