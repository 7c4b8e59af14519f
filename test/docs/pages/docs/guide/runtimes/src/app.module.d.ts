/** The application that the page about runtimes reloads. */
export declare class AppModule {}
