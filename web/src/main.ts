import './theme.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { loggedOut } from './lib/api';
import { session } from './lib/session.svelte';
import { settings } from './lib/settings.svelte';

settings.apply();
loggedOut(() => session.ended());
void session.load();

const target = document.getElementById('app');
if (target) mount(App, { target });
