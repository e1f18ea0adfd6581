import { useEffect, useState } from 'react';
import type { ChallengeView } from '../page.ts';
import { solveChallenge } from '../solve-challenge.ts';
import { texts } from '../texts.ts';

/** What the browser has worked out for this challenge; null until then, and without JavaScript for ever. */
export function useProof(challenge: ChallengeView | null): string | null {
  const [proof, setProof] = useState<string | null>(null);
  useEffect(() => {
    if (challenge === null) return;
    const working = new AbortController();
    solveChallenge(challenge.challenge, challenge.difficultyBits, working.signal).then(setProof, () => {});
    return () => working.abort();
  }, [challenge]);
  return proof;
}

/** The field that carries it, and a word to who has no JavaScript. */
export function ProofField({ proof }: { proof: string | null }) {
  return (
    <>
      <input type="hidden" name="proof" value={proof ?? ''} />
      <noscript>
        <p className="note">{texts.register.needsScript}</p>
      </noscript>
    </>
  );
}
