// Made by icons/build.py from icons/p2p-agent.svg: change that.

export interface Shape {
  readonly tag: string;
  readonly [attribute: string]: string;
}

export const shapes: Readonly<Record<"mark" | "working" | "waiting" | "paused" | "offline", readonly Shape[]>> = {
  "mark": [
    {
      "tag": "rect",
      "x": "2",
      "y": "2",
      "width": "60",
      "height": "60",
      "rx": "15",
      "fill": "#0b6b5d"
    },
    {
      "tag": "circle",
      "cx": "49",
      "cy": "32",
      "r": "5.2",
      "fill": "#ffffff"
    },
    {
      "tag": "circle",
      "cx": "45.28",
      "cy": "43.55",
      "r": "4.4",
      "fill": "#ffffff"
    },
    {
      "tag": "circle",
      "cx": "34.88",
      "cy": "48.35",
      "r": "5.6",
      "fill": "#ffffff"
    },
    {
      "tag": "circle",
      "cx": "23.04",
      "cy": "46.91",
      "r": "4.6",
      "fill": "#ffffff"
    },
    {
      "tag": "circle",
      "cx": "16.21",
      "cy": "37.75",
      "r": "5.4",
      "fill": "#ffffff"
    },
    {
      "tag": "circle",
      "cx": "15.66",
      "cy": "25.73",
      "r": "4.2",
      "fill": "#ffffff"
    },
    {
      "tag": "circle",
      "cx": "23.6",
      "cy": "17.45",
      "r": "5.2",
      "fill": "#ffffff"
    },
    {
      "tag": "circle",
      "cx": "34.72",
      "cy": "14.81",
      "r": "4.4",
      "fill": "#ffffff"
    },
    {
      "tag": "circle",
      "cx": "50.77",
      "cy": "16.25",
      "r": "4.2",
      "fill": "#9fdccd"
    }
  ],
  "working": [
    {
      "tag": "circle",
      "cx": "32",
      "cy": "32",
      "r": "24",
      "fill": "none",
      "stroke": "currentColor",
      "stroke-width": "8"
    },
    {
      "tag": "circle",
      "cx": "32",
      "cy": "32",
      "r": "12",
      "fill": "currentColor"
    }
  ],
  "waiting": [
    {
      "tag": "circle",
      "cx": "32",
      "cy": "32",
      "r": "24",
      "fill": "none",
      "stroke": "currentColor",
      "stroke-width": "8"
    }
  ],
  "paused": [
    {
      "tag": "rect",
      "x": "15",
      "y": "10",
      "width": "12",
      "height": "44",
      "rx": "4",
      "fill": "currentColor"
    },
    {
      "tag": "rect",
      "x": "37",
      "y": "10",
      "width": "12",
      "height": "44",
      "rx": "4",
      "fill": "currentColor"
    }
  ],
  "offline": [
    {
      "tag": "path",
      "d": "M 18.23 12.34 A 24 24 0 0 1 51.66 45.77",
      "fill": "none",
      "stroke": "currentColor",
      "stroke-width": "8"
    },
    {
      "tag": "path",
      "d": "M 45.77 51.66 A 24 24 0 0 1 12.34 18.23",
      "fill": "none",
      "stroke": "currentColor",
      "stroke-width": "8"
    }
  ]
};
