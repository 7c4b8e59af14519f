import {
  Controller,
  HttpCode,
  HttpStatus,
  NotFoundException,
  Param,
  ParseEnumPipe,
  Post,
  ServiceUnavailableException,
} from '@nestjs/common';
import { RunnerLink } from '../runner-link.js';
import { type Action, ACTIONS } from '../action.js';
import { LoadService } from '../load/load.service.js';
import { ClickVerdict } from './click-verdict.js';
import { settings } from '../settings.js';

const ACTION = Object.fromEntries(ACTIONS.map((action) => [action, action]));

/** The buttons of the page. The runner owns the processes and performs the action; the table shows the result. */
@Controller('demo/backends')
export class BackendsController {
  constructor(
    private readonly link: RunnerLink,
    private readonly load: LoadService,
    private readonly clicks: ClickVerdict,
  ) {}

  @Post(':address/:action')
  @HttpCode(HttpStatus.ACCEPTED)
  act(@Param('address') address: string, @Param('action', new ParseEnumPipe(ACTION)) action: Action): object {
    if (!settings.addresses.includes(address)) throw new NotFoundException(`There is no backend ${address}`);
    if (!this.link.connected) {
      throw new ServiceUnavailableException('No runner controls the backends: start the demo with `npm run demo`');
    }
    this.clicks.clicked(action, address, this.load.runs.at(-1), performance.now());
    this.link.tell({ type: 'command', address, action });
    return { address, action };
  }
}
