import type { Socket } from 'node:net';
import { answerText } from '../http/answer.ts';
import type { Deadlined } from './deadlines.ts';
import type { EdgeContext } from './edge-context.ts';
import type { OwnAnswer } from './own-answers.ts';

/** So many at a time are told why; the others find the connection closed. */
const MOST_TOLD = 1_024;

/**
 * A connection that was not let in. It is told why, and read on for a moment, because its request
 * may be on the way: closed with that unread, it would be reset, and the answer lost.
 */
export class TurnedAway implements Deadlined {
  readonly deadlineMs: number;
  private readonly socket: Socket;

  constructor(edge: EdgeContext, socket: Socket, { status, text, fields }: OwnAnswer) {
    const { clock, deadlines, limits, turnedAway } = edge;
    this.socket = socket;
    this.deadlineMs = clock.monotonic() + limits.lingerMs;
    socket.on('error', () => {
      // The close that follows says all there is to do.
    });
    if (turnedAway.size >= MOST_TOLD) {
      socket.destroy();
      return;
    }
    turnedAway.add(this);
    deadlines.add(this);
    socket.on('close', () => {
      turnedAway.delete(this);
      deadlines.remove(this);
    });
    socket.resume();
    socket.end(answerText({ status, text, fields, close: true }), 'latin1');
  }

  onDeadline(): void {
    this.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
