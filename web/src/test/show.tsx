// Puts a part of the studio on the page with its own cache and a signed-in person.
import { QueryClientProvider } from '@tanstack/react-query';
import { render, type RenderResult } from '@testing-library/react';
import type { ReactNode } from 'react';
import { Router } from 'wouter';
import { memoryLocation } from 'wouter/memory-location';
import { makeQueryClient } from '../queries';
import { openSession } from '../session';

export function show(part: ReactNode, path = '/'): RenderResult & { history: string[] } {
  openSession('a-token');
  const location = memoryLocation({ path, record: true });
  const queries = makeQueryClient();
  queries.setDefaultOptions({ queries: { ...queries.getDefaultOptions().queries, retry: false } });
  const shown = render(
    <QueryClientProvider client={queries}>
      <Router hook={location.hook}>{part}</Router>
    </QueryClientProvider>,
  );
  return Object.assign(shown, { history: location.history });
}
