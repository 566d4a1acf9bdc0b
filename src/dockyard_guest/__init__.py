"""The guest side of Dockyard: extension handlers run as root by the Azure Linux Agent, standard library only."""
